export const LOGS = "/orgs/{org}/projects/{project}/logs";
export const LIVE = `${LOGS}/live`;
export const HISTOGRAM = `${LOGS}/histogram`;
export const SOURCES = `${LOGS}/sources`;
export const EXPORT = `${LOGS}/export`;
