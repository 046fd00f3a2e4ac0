// Socket.IO over its WebSocket transport: what one publisher emits goes to everybody in a room.
const http = require("http");
const { Server } = require("socket.io");

const server = http.createServer((request, response) => response.end("ready"));
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
  if (!socket.handshake.query.publish) return socket.join("room");
  socket.on("publish", (event) => io.to("room").emit("event", event));
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
