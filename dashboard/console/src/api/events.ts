/** Follows what the control plane tells as it happens. */
import { makeUseEvents } from "@/lib/follow";

import { call } from "./client";

export { AGAIN } from "@/lib/follow";
export const useEvents = makeUseEvents(call);
