import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { UserRow } from "@edge/api/shapes";
import { RowsTable } from "@edge/components/RowsTable";

import { AddUserDialog, ResetDialog, RoleDialog } from "./dialogs";

type Open = { kind: "add" } | { kind: "role" | "reset"; user: UserRow };

export default function UsersPage(): ReactElement {
  const { t } = useTranslation("users");
  const me = useMe();
  const [open, setOpen] = useState<Open | null>(null);
  const list = useGet("/users");
  const remove = useAct<UserRow>({
    run: ({ name }) => call("delete", "/users/{name}", { path: { name } }),
    refresh: ["/users"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const close = () => setOpen(null);
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={<Button onClick={() => setOpen({ kind: "add" })}>{t("add")}</Button>}
    >
      <RowsTable<UserRow>
        label={t("title")}
        rows={list.data}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={[
          { key: "name", label: t("field.name") },
          { key: "role", label: t("field.role"), render: (row) => t(`role.${row.role}`) },
          { key: "created_at", label: t("field.createdAt"), render: (row) => formatTime(row.created_at) },
        ]}
        rowKey={(row) => row.name}
        empty={{ title: t("none.title"), text: t("none.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("editRole")}
              label={t("roleOne", { name: row.name })}
              onClick={() => setOpen({ kind: "role", user: row })}
            />
            <RowButton
              text={t("reset")}
              label={t("resetOne", { name: row.name })}
              disabled={row.name === me.name}
              onClick={() => setOpen({ kind: "reset", user: row })}
            />
            <RowButton
              text={t("delete")}
              label={t("deleteOne", { name: row.name })}
              isDanger
              disabled={row.name === me.name}
              onClick={() => void remove.act(row)}
            />
          </>
        )}
      />
      {open?.kind === "add" && <AddUserDialog onClose={close} />}
      {open?.kind === "role" && <RoleDialog user={open.user} onClose={close} />}
      {open?.kind === "reset" && <ResetDialog user={open.user} onClose={close} />}
    </Page>
  );
}
