// ShareDB with its text type over WebSockets, put together as its documentation does it; GET /NAME makes a document.
// The third argument is where PostgreSQL is; without it, everything is kept in memory.
const http = require("http");
const ShareDB = require("sharedb");
const WebSocketJSONStream = require("@teamwork/websocket-json-stream");
const { WebSocketServer } = require("ws");
const text = require("ot-text").type;

const [, , port, address] = process.argv;
ShareDB.types.register(text);
const db = address ? require("sharedb-postgres")({ connectionString: address, max: 16 }) : new ShareDB.MemoryDB();
const share = new ShareDB({ db });

const server = http.createServer((request, response) => {
  const name = request.url.slice(1);
  if (!name) return response.end("ready");
  const doc = share.connect().get("texts", name);
  doc.create("x".repeat(2000), text.uri, (error) => response.writeHead(error ? 500 : 200).end(String(error ?? "made")));
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false, skipUTF8Validation: true });
sockets.on("connection", (socket) => share.listen(new WebSocketJSONStream(socket)));
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
