import { join } from "node:path";

import { checkTexts } from "@/i18n/checkTexts";

checkTexts(join(import.meta.dirname, ".."), join(import.meta.dirname, "../../../src"));
