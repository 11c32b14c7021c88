/** The way from an entry to an adopted cluster: commands for its machine, and how far they got. */
import { Drawer, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { ClusterRow, RegistrationToken } from "@console/api/shapes";
import { QuotaHint } from "@console/components/QuotaHint";

import { Checklist } from "./Checklist";
import { Instructions } from "./Instructions";
import { TokenBox } from "./TokenBox";

interface RegisterDrawerProps {
  cluster: ClusterRow;
  onClose: () => void;
}

export function RegisterDrawer({ cluster, onClose }: RegisterDrawerProps): ReactElement {
  const { t } = useTranslation("register");
  const [token, setToken] = useState<RegistrationToken | null>(null);
  const values = { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id };
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="xl"
      title={t("titleOf", { name: cluster.name })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="lg">
        <section>
          <Title order={3} size="h5" mb="xs">
            {t("progress")}
          </Title>
          <Checklist values={values} />
          <QuotaHint cluster={cluster} />
        </section>
        <section>
          <Title order={3} size="h5" mb="xs">
            {t("token.title")}
          </Title>
          <TokenBox cluster={cluster} values={values} token={token} onIssued={setToken} />
        </section>
        {token === null ? (
          <Text size="sm" c="dimmed">
            {t("token.first")}
          </Text>
        ) : (
          <Instructions values={values} token={token.token} />
        )}
      </Stack>
    </Drawer>
  );
}
