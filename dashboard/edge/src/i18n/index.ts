/** The texts of these pages; words that every application has are the dashboard's `common.json`. */
import type { Loaders } from "@/lib/texts";

export const LOADERS: Loaders = {
  en: () => import("./en"),
  zh: () => import("./zh"),
};
