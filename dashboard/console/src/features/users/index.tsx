import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { EditDelete, RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { UserRow } from "@console/api/shapes";
import { Address } from "@console/components/Address";
import { ListTable } from "@console/components/ListTable";

import { PasswordDialog } from "./PasswordDialog";
import { PlacesDialog } from "./PlacesDialog";
import { UserDialog } from "./UserDialog";

const REFRESH = ["/users", "/orgs", "/projects"];

export default function UsersPage(): ReactElement {
  const { t } = useTranslation("users");
  const rights = useRights();
  const { data: own } = useGet("/profile");
  const [edited, setEdited] = useState<UserRow | "new" | null>(null);
  const [shown, setShown] = useState<UserRow | null>(null);
  const [reset, setReset] = useState<UserRow | null>(null);
  const [confirmed, setConfirmed] = useState<UserRow | null>(null);
  const remove = useAct<UserRow>({
    run: ({ id }) => call("delete", "/users/{user}", { path: { user: id } }),
    refresh: REFRESH,
    done: t("deleted"),
    ask: ({ email }) => ({
      title: t("remove.title"),
      text: t("remove.text", { email }),
      action: t("delete"),
    }),
  });
  const resetFactor = useAct<UserRow>({
    run: ({ id }) => call("delete", "/users/{user}/second-factor", { path: { user: id } }),
    refresh: ["/users"],
    done: t("saved"),
    ask: ({ email }) => ({
      title: t("factor.reset"),
      text: t("factor.resetText", { email }),
      action: t("factor.reset"),
    }),
  });
  const isEnabled = [
    { value: "true", label: t("state.enabled") },
    { value: "false", label: t("state.disabled") },
  ];
  const isAdmin = [
    { value: "true", label: t("yes") },
    { value: "false", label: t("no") },
  ];
  const isProven = [
    { value: "true", label: t("proof.yes") },
    { value: "false", label: t("proof.no") },
  ];
  const add = rights.isSystemAdmin && (
    <Button onClick={() => setEdited("new")}>{t("add")}</Button>
  );
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <ListTable<UserRow>
        label={t("title")}
        path="/users"
        filters={[
          { name: "email", label: t("email") },
          { name: "name", label: t("personName") },
          { name: "isEnabled", label: t("field.state"), options: isEnabled },
          { name: "isProven", label: t("proof.title"), options: isProven },
          { name: "isAdmin", label: t("systemAdmin"), options: isAdmin },
        ]}
        sorts={["email", "name", "createdAt", "lastLoginAt"]}
        columns={[
          {
            key: "email",
            label: t("email"),
            render: (row) => <Address email={row.email} isProven={row.provenAt !== null} />,
          },
          { key: "name", label: t("personName") },
          {
            key: "isAdmin",
            label: t("systemAdmin"),
            render: (row) => t(row.isAdmin ? "yes" : "no"),
          },
          {
            key: "isEnabled",
            label: t("field.state"),
            render: (row) => <StatusBadge state={row.isEnabled ? "enabled" : "disabled"} />,
          },
          {
            key: "hasSecondFactor",
            label: t("factor.title"),
            render: (row) => t(row.hasSecondFactor ? "yes" : "no"),
          },
          {
            key: "lastLoginAt",
            label: t("lastLogin"),
            render: (row) => (row.lastLoginAt ? formatTime(row.lastLoginAt) : t("never")),
          },
          {
            key: "createdAt",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.createdAt),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("places.title")}
              label={t("places.of", { email: row.email })}
              onClick={() => setShown(row)}
            />
            {rights.isSystemAdmin && (
              <>
              {row.hasSecondFactor && row.id !== own?.id && (
                <RowButton
                  text={t("factor.reset")}
                  label={t("factor.resetOf", { email: row.email })}
                  onClick={() => void resetFactor.act(row)}
                />
              )}
              {row.provenAt === null && (
                <RowButton
                  text={t("proof.confirm")}
                  label={t("proof.confirmOf", { email: row.email })}
                  onClick={() => setConfirmed(row)}
                />
              )}
              <RowButton
                text={t("password.reset")}
                label={t("password.resetOf", { email: row.email })}
                disabled={row.id === own?.id}
                onClick={() => setReset(row)}
              />
              <EditDelete
                name={row.email}
                canDelete={row.id !== own?.id}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(row)}
              />
              </>
            )}
          </>
        )}
      />
      {shown !== null && <PlacesDialog user={shown} onClose={() => setShown(null)} />}
      {edited !== null && (
        <UserDialog
          user={edited === "new" ? null : edited}
          isOwn={edited !== "new" && edited.id === own?.id}
          onClose={() => setEdited(null)}
        />
      )}
      {confirmed !== null && (
        <PasswordDialog user={confirmed} confirms onClose={() => setConfirmed(null)} />
      )}
      {reset !== null && <PasswordDialog user={reset} onClose={() => setReset(null)} />}
    </Page>
  );
}
