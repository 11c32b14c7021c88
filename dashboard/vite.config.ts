import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The node that `npm run dev` talks to.
const node = process.env["ROOKERY_URL"] ?? "http://127.0.0.1:18083";

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2022",
    outDir: "../python/rookery/web/pages",
    emptyOutDir: true,
    // The pages are served with a policy that allows no data: URL for scripts and styles, and a
    // page that was inlined could not be cached by its name.
    assetsInlineLimit: 0,
    // The polyfill is an inline script; browsers of the last years preload modules themselves.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": node, "/api-docs": node, "/status": node } },
});
