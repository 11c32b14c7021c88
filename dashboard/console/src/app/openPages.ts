/** Pages for whoever follows a link, signed in or not. */
import type { ComponentType } from "react";

import { InvitationPage } from "@console/features/invitation";
import { OidcPage } from "@console/features/oidc";
import { ResetPage } from "@console/features/reset";

export const OPEN_PAGES: Record<string, ComponentType> = {
  "/invitation": InvitationPage,
  "/oidc": OidcPage,
  "/password-reset": ResetPage,
};
