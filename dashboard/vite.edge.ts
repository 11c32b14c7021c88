import { defineConfig } from "vite";

import { application } from "./vite.shared";

// The edge service that `npm run dev:edge` talks to.
const edge = process.env["ROOKERY_EDGE_URL"] ?? "http://127.0.0.1:8085";

export default defineConfig({
  ...application("./edge", "edge"),
  server: { proxy: { "/api": edge, "/api-docs": edge } },
});
