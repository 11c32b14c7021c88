import shared from "@/i18n/en/common.json";

import own from "./en/common.json";
import { together } from "@/lib/together";

const files = import.meta.glob<Record<string, unknown>>("./en/*.json", {
  eager: true,
  import: "default",
});

export const texts = {
  ...Object.fromEntries(
    Object.entries(files).map(([path, words]) => [path.replace(/^.*\/|\.json$/g, ""), words]),
  ),
  common: together(shared, own),
};
