import { join } from "node:path";

import { checkTexts } from "./checkTexts";

const SOURCES = join(import.meta.dirname, "..");

checkTexts(SOURCES, SOURCES);
