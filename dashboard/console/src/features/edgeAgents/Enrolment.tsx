/** How an edge service gets here, and the warning while everybody's password lets it in. */
import { Alert, Anchor, Code, List } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import { ENROLMENT } from "@console/components/edgePaths";

export function EnrolmentNote(): ReactElement | null {
  const { t } = useTranslation("edgeAgents");
  const { isSystemAdmin } = useRights();
  const { data } = useGet(ENROLMENT);
  if (data === undefined) return null;
  if (!data.isOpen) return <Alert color="blue">{t("enrolment.closed")}</Alert>;
  if (!data.isDefaultPassword) return null;
  return (
    <Alert color="orange" title={t("enrolment.defaultTitle")}>
      {t("enrolment.default")}{" "}
      {isSystemAdmin && (
        <Anchor component={Link} to="/settings">
          {t("enrolment.change")}
        </Anchor>
      )}
    </Alert>
  );
}

export function HowToConnect(): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const { data } = useGet(ENROLMENT);
  return (
    <List type="ordered" size="sm" maw={640}>
      <List.Item>{t("how.open")}</List.Item>
      <List.Item>
        {t("how.address")}{" "}
        {(data?.addresses ?? []).map((address) => (
          <Code key={address} mr={6}>
            {address}
          </Code>
        ))}
      </List.Item>
      <List.Item>{t(data?.isDefaultPassword === true ? "how.default" : "how.password")}</List.Item>
      <List.Item>{t("how.adopt")}</List.Item>
    </List>
  );
}
