/** What all applications are built with: the node's dashboard (`src`), the console (`console`) and
 * the pages of an edge service (`edge`). */
import react from "@vitejs/plugin-react";
import type { BuildOptions, UserConfig } from "vite";

const here = (path: string) => new URL(path, import.meta.url).pathname;

const build: BuildOptions = {
  target: "es2022",
  emptyOutDir: true,
  // The pages are served with a policy that allows no data: URL for scripts and styles, and a
  // page that was inlined could not be cached by its name.
  assetsInlineLimit: 0,
  // The polyfill is an inline script; browsers of the last years preload modules themselves.
  modulePreload: { polyfill: false },
  chunkSizeWarningLimit: 700,
};

/** `folder` holds `index.html`; `served` is where the package takes the pages from. */
export function application(folder: string, served: string): UserConfig {
  return {
    root: here(folder),
    base: "./",
    publicDir: here("./public"),
    plugins: [react()],
    resolve: {
      alias: { "@console": here("./console/src"), "@edge": here("./edge/src"), "@": here("./src") },
    },
    build: { ...build, outDir: here(`../python/rookery/web/${served}`) },
  };
}
