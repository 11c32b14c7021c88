import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import type { TokenRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlaces } from "@console/components/place";
import { SecretDialog } from "@console/components/SecretDialog";

import { TokenDialog } from "./TokenDialog";

export default function TokensPage(): ReactElement {
  const { t } = useTranslation("tokens");
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const remove = useAct<TokenRow>({
    run: ({ id }) => call("delete", "/tokens/{token}", { path: { token: id } }),
    refresh: ["/tokens"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const { projects = [] } = usePlaces();
  const scopeOf = ({ orgId, projectId }: TokenRow) => {
    const project = projects.find(({ id }) => id === projectId);
    if (project !== undefined) return `${project.orgName} / ${project.name}`;
    const org = projects.find((each) => each.orgId === orgId);
    return org?.orgName ?? projectId ?? orgId ?? t("everything");
  };
  const add = <Button onClick={() => setAdding(true)}>{t("add")}</Button>;
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <ListTable<TokenRow>
        label={t("title")}
        path="/tokens"
        isWhole
        columns={[
          { key: "name", label: t("field.name") },
          { key: "access", label: t("access"), render: (row) => t(`accesses.${row.access}`) },
          { key: "scope", label: t("scope"), render: scopeOf },
          {
            key: "createdAt",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.createdAt),
          },
          { key: "expiresAt", label: t("expires"), render: (row) => formatTime(row.expiresAt) },
          {
            key: "usedAt",
            label: t("lastUsed"),
            render: (row) => (row.usedAt ? formatTime(row.usedAt) : t("never")),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add }}
        actions={(row) => (
          <RowButton
            text={t("delete")}
            label={t("deleteOne", { name: row.name })}
            isDanger
            onClick={() => void remove.act(row)}
          />
        )}
      />
      {isAdding && <TokenDialog onClose={() => setAdding(false)} onMade={setMade} />}
      {made !== null && (
        <SecretDialog
          title={t("secret.title")}
          text={t("secret.text")}
          secret={made}
          onClose={() => setMade(null)}
        />
      )}
    </Page>
  );
}
