// Sending a file, and how far it has come. `fetch` cannot tell that yet.

import * as api from "../shared/api.js";

/** Send a file as whoever is signed in; `progressed(share)` is told 0..1. Answers what the server heard in it. */
export async function upload(file, { progressed, signal }) {
  for (let renewed = false; ; renewed = true) {
    try {
      return await send(file, await api.token({ fresh: renewed }), progressed, signal);
    } catch (problem) {
      if (problem.status !== 401 || renewed) throw problem;
    }
  }
}

function send(file, bearer, progressed, signal) {
  const form = new FormData();
  form.append("file", file);
  const request = new XMLHttpRequest();
  request.open("POST", "/api/v1/audio/upload");
  if (bearer) request.setRequestHeader("Authorization", `Bearer ${bearer}`);
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => progressed(loaded / (total || 1));
  signal.addEventListener("abort", () => request.abort(), { once: true });
  return new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(api.refusal(request.status, request.response ?? {}, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new api.Problem(0, "unreachable", "The server cannot be reached."));
    request.onabort = () => reject(signal.reason);
    request.send(form);
  });
}
