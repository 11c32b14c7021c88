/** Looks for a client in all clusters of a project. */
import { Alert, Anchor, Button, Card, Group, Loader, NativeSelect, Table, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import type { ClientRow, FoundClients } from "@console/api/shapes";
import { clustersPath, usePlace, type Place } from "@console/components/place";
import { useEnter } from "@console/components/useEnter";

import { CLIENTS } from "./paths";

const FIELDS = ["clientid", "username", "ip"] as const;

export default function ClientsPage(): ReactElement {
  const { t } = useTranslation("monitoring");
  const place = usePlace();
  // What was looked for is in the address: a search can be handed on.
  const [parameters, setParameters] = useSearchParams();
  const search = parameters.get("search") ?? "";
  const field = parameters.get("field") ?? FIELDS[0];
  const [text, setText] = useState(search);
  const [by, setBy] = useState(field);
  const answer = useGet(CLIENTS, {
    path: { org: place.org, project: place.project },
    query: { search, field },
    enabled: search !== "",
  });
  const ask = () => {
    if (text.trim() === search && by === field) void answer.refetch();
    else setParameters({ search: text.trim(), field: by });
  };
  return (
    <Page title={t("clients.title")} help={t("clients.help")}>
      <Card withBorder padding="md">
        <form
          role="search"
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== "") ask();
          }}
        >
          <NativeSelect
            label={t("clients.by")}
            data={FIELDS.map((name) => ({ value: name, label: t(`clients.field.${name}`) }))}
            value={by}
            onChange={(event) => setBy(event.currentTarget.value)}
          />
          <TextInput
            label={t("clients.text")}
            type="search"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" disabled={text.trim() === ""} loading={answer.isFetching}>
            {t("clients.search")}
          </Button>
        </form>
      </Card>
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {search !== "" && answer.isPending && (
        <Group justify="center">
          <Loader aria-label={t("clients.search")} />
        </Group>
      )}
      {search !== "" && answer.data !== undefined && <Found found={answer.data} place={place} />}
    </Page>
  );
}

function Found({ found, place }: { found: FoundClients; place: Place }): ReactElement {
  const { t } = useTranslation("monitoring");
  const silent = found.clusters.filter(({ outcome }) => outcome !== "answered");
  const more = found.clusters.filter(
    ({ clusterId, total }) =>
      (total ?? 0) > found.clients.filter((client) => client.clusterId === clusterId).length,
  );
  return (
    <>
      {silent.length > 0 && (
        <Alert
          color="orange"
          title={t("clients.silent", { silent: silent.length, all: found.clusters.length })}
        >
          {silent.map((each) => (
            <Text size="sm" className="wrap" key={each.clusterId}>
              {each.clusterName}: {each.text}
            </Text>
          ))}
        </Alert>
      )}
      {more.map((each) => (
        <Text size="sm" key={each.clusterId}>
          {t("clients.more", { cluster: each.clusterName, total: each.total })}
        </Text>
      ))}
      <Card withBorder padding={0}>
        {found.clients.length === 0 ? (
          <EmptyState title={t("clients.none.title")} text={t("clients.none.text")} />
        ) : (
          <ClientTable clients={found.clients} place={place} />
        )}
      </Card>
    </>
  );
}

function ClientTable({ clients, place }: { clients: ClientRow[]; place: Place }): ReactElement {
  const { t } = useTranslation("monitoring");
  const enter = useEnter();
  const heads = ["cluster", "clientid", "username", "status", "address", "node", "protocol", "connectedAt"];
  return (
    <div className="table-scroll" role="region" aria-label={t("clients.title")} tabIndex={0}>
      <Table>
        <caption className="hidden-text">{t("clients.title")}</caption>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head) => (
              <Table.Th key={head}>{t(`field.${head}`)}</Table.Th>
            ))}
            <Table.Th>{t("field.actions")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {clients.map((client) => (
            <Table.Tr key={`${client.clusterId} ${client.clientid}`}>
              <Table.Td>
                <Anchor component={Link} to={`${clustersPath(place)}/${client.clusterId}`} size="sm">
                  {client.clusterName}
                </Anchor>
              </Table.Td>
              <Table.Td className="wrap">{client.clientid}</Table.Td>
              <Table.Td className="wrap">{client.username}</Table.Td>
              <Table.Td>
                <StatusBadge state={client.connected ? "connected" : "disconnected"} />
              </Table.Td>
              <Table.Td>{client.address}</Table.Td>
              <Table.Td className="wrap">{client.node}</Table.Td>
              <Table.Td>{client.protocol}</Table.Td>
              <Table.Td>{formatTime(client.connectedAt)}</Table.Td>
              <Table.Td>
                <RowButton
                  text={t("details")}
                  label={t("detailsOf", { name: client.clientid, cluster: client.clusterName })}
                  onClick={() =>
                    void enter(
                      { id: client.clusterId, orgId: place.org, projectId: place.project },
                      "auto",
                      client.page,
                    )
                  }
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
