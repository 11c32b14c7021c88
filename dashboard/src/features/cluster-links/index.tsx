import { Anchor, Badge, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { ClusterLink } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatNumber } from "@/lib/format";

import { LinkDialog } from "./LinkDialog";
import { addressOf, EVERY_MS, isEncrypted, most, ONE, PATH, REFRESH, sum } from "./links";
import { LinkState } from "./LinkState";
import { LinkSwitch } from "./LinkSwitch";

export default function ClusterLinksPage(): ReactElement {
  const { t, i18n } = useTranslation("clusterLinks");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<ClusterLink | "new" | null>(null);
  const remove = useAct<string>({
    run: (name) => call("delete", ONE, { path: { name } }),
    refresh: REFRESH,
    done: t("deleted"),
    ask: (name) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const number = (value: number) => formatNumber(value, i18n.language);
  const add = mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>;
  return (
    <Page title={t("title")} help={t("about")} actions={add}>
      <DataTable<ClusterLink>
        label={t("title")}
        path={PATH}
        every={EVERY_MS}
        columns={[
          {
            key: "name",
            label: t("of.name"),
            render: (row) => (
              <Anchor component={Link} to={addressOf(row.name)} size="sm">
                {row.name}
              </Anchor>
            ),
          },
          { key: "status", label: t("field.state"), render: (row) => <LinkState row={row} /> },
          {
            key: "server",
            label: t("of.server"),
            render: (row) => (
              <>
                {row.server}{" "}
                <Badge variant="light" color={isEncrypted(row) ? "teal" : "gray"} tt="none">
                  {t(isEncrypted(row) ? "encrypted" : "plain")}
                </Badge>
              </>
            ),
          },
          {
            key: "topics",
            label: t("of.topics"),
            isUnsorted: true,
            render: (row) => (row.topics.length === 0 ? t("nothing") : row.topics.join(", ")),
          },
          {
            key: "routes",
            label: t("figure.routes"),
            isNumber: true,
            isUnsorted: true,
            render: (row) => number(most(row, "routes")),
          },
          {
            key: "rate",
            label: t("figure.rate"),
            isNumber: true,
            isUnsorted: true,
            render: (row) => number(sum(row, "rate")),
          },
          {
            key: "queuing",
            label: t("figure.queuing"),
            isNumber: true,
            isUnsorted: true,
            render: (row) => number(sum(row, "queuing")),
          },
          {
            key: "stored",
            label: t("figure.stored"),
            isNumber: true,
            isUnsorted: true,
            render: (row) => number(sum(row, "stored")),
          },
          {
            key: "enable",
            label: t("field.enabled"),
            render: (row) => <LinkSwitch row={row} />,
          },
        ]}
        rowKey={(row) => row.name}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add }}
        {...(mayChange && {
          actions: (row: ClusterLink) => (
            <EditDelete
              name={row.name}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row.name)}
            />
          ),
        })}
      />
      {edited !== null && (
        <LinkDialog link={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
    </Page>
  );
}
