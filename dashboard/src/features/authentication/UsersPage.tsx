import { Anchor, Button, FileButton } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { AuthUser } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";

import { UserDialog } from "./UserDialog";

const ONE = "/authentication/{id}/users/{user_id}";

export default function UsersPage(): ReactElement {
  const { t } = useTranslation("authentication");
  const { id = "" } = useParams();
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<AuthUser | "new" | null>(null);
  const refresh = ["/authentication"];
  const remove = useAct<string>({
    run: (user_id) => call("delete", ONE, { path: { id, user_id } }),
    refresh,
    done: t("deleted"),
    ask: (user_id) => ({
      title: t("user.remove.title"),
      text: t("user.remove.text", { user: user_id }),
      action: t("delete"),
    }),
  });
  const load = useAct<File>({
    run: (file) => {
      const form = new FormData();
      form.set("filename", file);
      return call("post", "/authentication/{id}/import_users", {
        path: { id },
        query: { type: "plain" },
        body: form,
        as: "form",
      });
    },
    refresh,
    done: t("user.imported"),
  });
  return (
    <Page
      title={t("user.title")}
      help={t("user.help")}
      actions={
        <>
          <Anchor component={Link} to="/authentication">
            {t("user.back")}
          </Anchor>
          {mayChange && (
            <>
              <FileButton
                accept=".csv,.json"
                onChange={(file) => file !== null && void load.act(file)}
              >
                {(props) => (
                  <Button {...props} variant="default" loading={load.isBusy}>
                    {t("user.import")}
                  </Button>
                )}
              </FileButton>
              <Button onClick={() => setEdited("new")}>{t("user.add")}</Button>
            </>
          )}
        </>
      }
    >
      <DataTable<AuthUser>
        label={t("user.title")}
        path="/authentication/{id}/users"
        pathValues={{ id }}
        filters={[
          { name: "like_user_id", label: t("user.id") },
          {
            name: "is_superuser",
            label: t("user.super"),
            options: [
              { value: "true", label: t("yes") },
              { value: "false", label: t("no") },
            ],
          },
        ]}
        columns={[
          { key: "user_id", label: t("user.id") },
          {
            key: "is_superuser",
            label: t("user.super"),
            render: (row) => t(row.is_superuser === true ? "yes" : "no"),
          },
        ]}
        rowKey={(row) => row.user_id}
        empty={{ title: t("user.empty.title"), text: t("user.empty.text") }}
        {...(mayChange && {
          actions: (row: AuthUser) => (
            <EditDelete
              name={row.user_id}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row.user_id)}
            />
          ),
        })}
      />
      {edited !== null && (
        <UserDialog
          provider={id}
          user={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
