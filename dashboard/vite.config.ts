import { defineConfig } from "vitest/config";

import { application } from "./vite.shared";

// The node that `npm run dev` talks to.
const node = process.env["ROOKERY_URL"] ?? "http://127.0.0.1:18083";

export default defineConfig({
  ...application("./", "pages"),
  server: { proxy: { "/api": node, "/api-docs": node, "/status": node } },
  test: { include: ["src/**/*.test.ts", "console/**/*.test.ts", "edge/**/*.test.ts"] },
});
