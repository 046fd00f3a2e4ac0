// Talking to the server: who is signed in, and requests that mend what can be mended by themselves.
//
// Tokens are kept in sessionStorage, never in localStorage. A refresh token is good once, and one that comes a
// second time looks stolen and ends the session: two tabs sharing one would end each other's. And what this tab
// alone knows is gone with it, also on somebody else's machine.

const KEPT = "quintet.session";
const EARLY_MS = 90_000; // the server says `token_expiring` 60 s ahead; by then there is a new one
const LONGEST_WAIT_S = 30; // whoever is told to come back later than this is told so instead
const listeners = new Set();
let session = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
let renewal = null;
let timer = 0;

/** What the server refused (RFC 9457), or `unreachable` where nobody answered. */
export class Problem extends Error {
  constructor(status, code, title, detail, { retryAfter = 0, body = {} } = {}) {
    super(detail || title);
    Object.assign(this, { status, code, title, retryAfter, body });
  }
  /** Whether the same request may well succeed later, unchanged. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Who is signed in: `{id, username, …}`, or null. */
export const user = () => session?.user ?? null;

/** Call `told(user)` whenever somebody signs in or out. */
export const onUser = (told) => listeners.add(told);

function keep(answer) {
  const was = session?.user?.id;
  session = answer && { ...answer, expires_at: Date.now() + answer.expires_in * 1000 };
  if (session) sessionStorage.setItem(KEPT, JSON.stringify(session));
  else sessionStorage.removeItem(KEPT);
  plan();
  if (was !== session?.user?.id) for (const told of listeners) told(user());
}

function plan() {
  clearTimeout(timer);
  if (session) timer = setTimeout(() => renew().catch(() => {}), Math.max(1000, session.expires_at - Date.now() - EARLY_MS));
}

/** A new access token. However many ask at once, the refresh token is spent once. */
export function renew() {
  renewal ??= send("POST", "/auth/refresh", { body: { refresh_token: session?.refresh_token ?? "" } })
    .then(keep, (problem) => {
      if (problem.status === 401) keep(null); // the session has ended; a network that is away ends nothing
      else timer = setTimeout(() => renew().catch(() => {}), 5000);
      throw problem;
    })
    .finally(() => (renewal = null));
  return renewal;
}

/** The access token, still good for a while; null when nobody is signed in. */
export async function token({ fresh = false } = {}) {
  if (session && (fresh || session.expires_at - Date.now() < 30_000)) await renew();
  return session?.access_token ?? null;
}

export const signUp = async (body) => keep(await send("POST", "/auth/signup", { body }));
export const logIn = async (body) => keep(await send("POST", "/auth/login", { body }));
export async function logOut() {
  await request("POST", "/auth/logout").catch(() => {}); // gone here in any case
  keep(null);
}

/**
 * A request as whoever is signed in. A token that is not good any more is renewed once; 429 and its Retry-After are
 * waited for. Answers the body; `told.roomSeq` is then the answer's `Room-Seq`. Throws a Problem.
 */
export async function request(method, path, options = {}) {
  for (let renewed = false, waits = 0; ; ) {
    const bearer = await token();
    try {
      return await send(method, path, { ...options, bearer });
    } catch (problem) {
      if (problem.status === 401 && bearer && !renewed) {
        renewed = true;
        await renew();
      } else if (problem.status === 429 && problem.retryAfter <= LONGEST_WAIT_S && waits++ < 3) {
        await new Promise((resolve) => setTimeout(resolve, problem.retryAfter * 1000));
      } else throw problem;
    }
  }
}

export const get = (path, told) => request("GET", path, { told });
export const post = (path, body = undefined, more = {}) => request("POST", path, { body, ...more });
export const put = (path, body = undefined) => request("PUT", path, { body });
export const remove = (path) => request("DELETE", path);

async function send(method, path, { body, bearer, told, keepalive = false } = {}) {
  const headers = {};
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer, read;
  try {
    answer = await fetch(path, {
      method,
      headers,
      keepalive,
      body: body && JSON.stringify(body),
      cache: method === "GET" ? "no-cache" : "no-store", // asks by ETag, so what is unchanged costs a 304
      signal: AbortSignal.timeout(20_000),
    });
    read = answer.status === 204 ? null : await answer.json();
  } catch {
    throw new Problem(0, "unreachable", "The server cannot be reached.");
  }
  if (told) told.roomSeq = answer.headers.get("Room-Seq");
  if (answer.ok) return read;
  throw refusal(answer.status, read, answer.headers.get("Retry-After"));
}

/** What a refused request's answer says, as a Problem. */
export function refusal(status, read, retryAfter) {
  const first = read.errors?.[0];
  const detail = first ? `${(first.pointer ?? first.parameter ?? "").replace("/", "")} ${first.message}`.trim() : read.detail;
  return new Problem(status, read.code, read.title, detail, { retryAfter: Number(retryAfter ?? 1), body: read });
}

plan();
document.addEventListener("visibilitychange", () => {
  // Timers of a sleeping laptop do not run: look again when somebody comes back.
  if (!document.hidden && session && session.expires_at - Date.now() < EARLY_MS) renew().catch(() => {});
});
