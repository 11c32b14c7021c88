/** Follows what the edge service tells as it happens. */
import { makeUseEvents } from "@/lib/follow";

import { call } from "./client";

export const useEvents = makeUseEvents(call);
