/** The registration token: single use, for some time, and shown only in the commands made with it. */
import { Alert, Button, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { useChange } from "@/lib/query";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import type { ClusterRow, RegistrationToken } from "@console/api/shapes";

import { CLUSTER, CLUSTERS } from "./paths";
import { isOccupied } from "./state";

interface TokenBoxProps {
  cluster: ClusterRow;
  values: Record<string, string>;
  token: RegistrationToken | null;
  onIssued: (token: RegistrationToken) => void;
}

export function TokenBox({ cluster, values, token, onIssued }: TokenBoxProps): ReactElement {
  const { t } = useTranslation("register");
  const isReplacing = isOccupied(cluster);
  const issue = useChange(
    () =>
      call<RegistrationToken>("post", `${CLUSTER}/registration-token`, {
        path: values,
        body: isReplacing ? { replace: true } : {},
      }),
    [CLUSTERS],
  );
  const press = () => issue.mutate(undefined, { onSuccess: onIssued });
  return (
    <>
      {isReplacing && token === null && (
        <Alert color="orange" mb="xs">
          {t("token.replaces")}
        </Alert>
      )}
      <Group justify="space-between">
        <Text size="sm" className="page-head">
          {token === null
            ? t(cluster.tokenState === "open" ? "token.isOpen" : "token.help")
            : t("token.until", { time: formatTime(token.expiresAt) })}
        </Text>
        <Button
          variant={token === null ? "filled" : "default"}
          loading={issue.isPending}
          onClick={press}
        >
          {t(token === null ? "token.issue" : "token.again")}
        </Button>
      </Group>
      <ErrorPanel error={issue.error} />
    </>
  );
}
