import { defineConfig } from "vite";

import { application } from "./vite.shared";

// The control plane that `npm run dev:console` talks to.
const control = process.env["ROOKERY_CONTROL_URL"] ?? "http://127.0.0.1:8082";

export default defineConfig({
  ...application("./console", "console"),
  server: { proxy: { "/api": control, "/api-docs": control, "/dl": control } },
});
