/** Where the control plane has what these pages show. */
export const ALARMS = "/orgs/{org}/projects/{project}/alarms";
export const ALARM = `${ALARMS}/{alarm}`;
export const SUMMARY = `${ALARMS}/summary`;
export const SETTINGS = `${ALARMS}/settings`;
export const RULES = `${ALARMS}/rules`;
export const WINDOWS = `${ALARMS}/windows`;
export const CHANNELS = `${ALARMS}/channels`;
export const DELIVERIES = `${ALARMS}/deliveries`;
export const TEMPLATE = `${ALARMS}/template`;
