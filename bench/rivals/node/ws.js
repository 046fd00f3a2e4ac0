// Node `ws`: what one publisher sends is sent to every subscriber, as the library's own documentation does it.
const http = require("http");
const { WebSocketServer, WebSocket } = require("ws");

const server = http.createServer((request, response) => response.end("ready"));
const sockets = new WebSocketServer({ server, perMessageDeflate: false, skipUTF8Validation: true });
const subscribers = new Set();
sockets.on("connection", (socket, request) => {
  if (request.url !== "/publish") {
    subscribers.add(socket);
    socket.on("close", () => subscribers.delete(socket));
    return;
  }
  socket.on("message", (data) => {
    for (const one of subscribers) if (one.readyState === WebSocket.OPEN) one.send(data, { binary: false });
  });
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
