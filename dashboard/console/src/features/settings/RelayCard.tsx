/** The relay that agents dial into: whether it answers, what it shows, and the certificates for edges. */
import { Alert, Button, Card, Group, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { saveFile } from "@/lib/rest";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AgentRelay } from "@console/api/shapes";

const PATH = "/configuration/agent-relay";
const FILE_NAME = "rookery-edge-certificates.zip";
/** From here on an end is near. */
const DAYS_SOON = 30;

export function RelayCard(): ReactElement {
  const { t } = useTranslation("settings");
  const answer = useGet(PATH);
  const relay = answer.data;
  return (
    <Card withBorder padding="md">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("relay.title")}
        </Title>
        <Button variant="default" loading={answer.isFetching} onClick={() => void answer.refetch()}>
          {t("refresh")}
        </Button>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {t("relay.help")}
      </Text>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {relay !== undefined && <RelayState relay={relay} />}
      {relay !== undefined && relay.tlsPort !== null && <ExportForm relay={relay} />}
    </Card>
  );
}

function RelayState({ relay }: { relay: AgentRelay }): ReactElement {
  const { t } = useTranslation("settings");
  const { certificate } = relay;
  const port = (value: number | null | undefined) => value ?? t("relay.closed");
  const asks = !relay.verifyPeer ? "none" : relay.failIfNoPeerCert ? "must" : "may";
  return (
    <>
      {relay.problem !== "" && (
        <Alert color="red" mb="md">
          {relay.problem}
        </Alert>
      )}
      {relay.certificateProblem !== "" && (
        <Alert color="orange" mb="md">
          {t("relay.notTaken", { reason: relay.certificateProblem })}
        </Alert>
      )}
      {certificate && certificate.daysLeft < DAYS_SOON && (
        <Alert color="orange" mb="md">
          {t("relay.ends", { file: certificate.file, time: formatTime(certificate.notAfter) })}
        </Alert>
      )}
      <KeyValues
        rows={[
          [
            t("relay.state"),
            <StatusBadge
              key="state"
              state={relay.isConnected ? "connected" : "disconnected"}
              isFault
            />,
          ],
          [t("relay.agents"), relay.agents],
          [t("relay.tcp"), port(relay.tcpPort)],
          [t("relay.tls"), port(relay.tlsPort)],
          ...(!certificate
            ? []
            : ([
                [t("relay.asks"), t(`relay.ask.${asks}`)],
                [t("relay.certificate"), certificate.subject],
                [t("relay.issuer"), certificate.issuer],
                [t("relay.until"), formatTime(certificate.notAfter)],
              ] as const)),
        ]}
      />
    </>
  );
}

function ExportForm({ relay }: { relay: AgentRelay }): ReactElement {
  const { t } = useTranslation("settings");
  const [name, setName] = useState("edge");
  const save = useAct({
    run: async () =>
      saveFile(
        await call<Blob>("post", `${PATH}/certificates`, { body: { name }, parse: "blob" }),
        FILE_NAME,
      ),
    refresh: [],
    done: t("relay.exported"),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    void save.act();
  };
  return (
    <form onSubmit={send}>
      <Text size="sm" mt="md">
        {t(relay.hasClientCertificate ? "relay.exportHelp" : "relay.exportAlone")}
      </Text>
      <Group align="end" mt="xs">
        {relay.hasClientCertificate && (
          <TextInput
            label={t("relay.exportName")}
            required
            maxLength={64}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <Button type="submit" variant="default" loading={save.isBusy}>
          {t("relay.export")}
        </Button>
      </Group>
    </form>
  );
}
