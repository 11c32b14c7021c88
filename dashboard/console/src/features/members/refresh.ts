/** What changes with who belongs where. */
export const REFRESH = ["/orgs", "/projects", "/users", "/roles"];
