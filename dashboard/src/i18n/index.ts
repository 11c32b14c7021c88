/** The texts of the node's dashboard. */
import type { Loaders } from "@/lib/texts";

export const LOADERS: Loaders = {
  en: () => import("./en"),
  zh: () => import("./zh"),
};
