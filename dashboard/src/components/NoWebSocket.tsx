import { Alert, Anchor } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { kindOfPage } from "./mqttAddress";

/** Why a browser cannot be a client of this node, and what to do about it. */
export function NoWebSocket(): ReactElement {
  const { t } = useTranslation();
  const kind = kindOfPage();
  return (
    <Alert color="orange" title={t("noWebSocket.title", { kind })}>
      {t("noWebSocket.text", { kind })}{" "}
      <Anchor component={Link} to="/listeners" inherit>
        {t("noWebSocket.listeners")}
      </Anchor>
    </Alert>
  );
}
