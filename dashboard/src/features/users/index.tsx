import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { call } from "@/api/client";
import { useMayChange, useSession } from "@/api/session";
import type { DashboardUser } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";

import { PasswordDialog } from "./PasswordDialog";
import { UserDialog } from "./UserDialog";

export default function UsersPage(): ReactElement {
  const { t } = useTranslation("users");
  const mayChange = useMayChange();
  const signedIn = useSession();
  const [parameters, setParameters] = useSearchParams();
  const [edited, setEdited] = useState<DashboardUser | "new" | null>(null);
  const remove = useAct<string>({
    run: (username) => call("delete", "/users/{username}", { path: { username } }),
    refresh: ["/users"],
    done: t("deleted"),
    ask: (username) => ({
      title: t("remove.title"),
      text: t("remove.text", { username }),
      action: t("delete"),
    }),
  });
  const setOwn = (isOpen: boolean) => setParameters(isOpen ? { own: "1" } : {}, { replace: true });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        <>
          <Button variant="default" onClick={() => setOwn(true)}>
            {t("password.title")}
          </Button>
          {mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
        </>
      }
    >
      <DataTable<DashboardUser>
        label={t("title")}
        path="/users"
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          { key: "username", label: t("field.username") },
          { key: "role", label: t("field.role"), render: (row) => t(`role.${row.role ?? "viewer"}`) },
          { key: "description", label: t("field.description") },
        ]}
        rowKey={(row) => row.username}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: DashboardUser) => (
            <EditDelete
              name={row.username}
              canDelete={row.username !== signedIn?.username}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row.username)}
            />
          ),
        })}
      />
      {edited !== null && (
        <UserDialog user={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
      {parameters.has("own") && <PasswordDialog onClose={() => setOwn(false)} />}
    </Page>
  );
}
