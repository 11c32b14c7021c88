import shared from "@/i18n/zh/common.json";

import own from "./zh/common.json";
import { together } from "@/lib/together";

const files = import.meta.glob<Record<string, unknown>>("./zh/*.json", {
  eager: true,
  import: "default",
});

export const texts = {
  ...Object.fromEntries(
    Object.entries(files).map(([path, words]) => [path.replace(/^.*\/|\.json$/g, ""), words]),
  ),
  common: together(shared, own),
};
