/** Who belongs to an organization or a project, and as what. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { call } from "@console/api/client";
import type { MemberRow } from "@console/api/shapes";
import { Address } from "@console/components/Address";
import { ListTable } from "@console/components/ListTable";

import { REFRESH } from "./refresh";
import { RoleDialog } from "./RoleDialog";

interface MemberTableProps {
  title: string;
  help: string;
  /** The list's path, and what stands for its places. */
  path: string;
  values: Record<string, string>;
  mayChange: boolean;
  /** The form that adds one. */
  adding: (close: () => void) => ReactElement;
  /** Beside the button that adds one. */
  others?: ReactElement | false;
}

export function MemberTable(props: MemberTableProps): ReactElement {
  const { t } = useTranslation("members");
  const { path, values, mayChange } = props;
  const [edited, setEdited] = useState<MemberRow | "new" | null>(null);
  const remove = useAct<MemberRow>({
    run: ({ userId }) => call("delete", `${path}/{user}`, { path: { ...values, user: userId } }),
    refresh: REFRESH,
    done: t("removed"),
    ask: ({ email }) => ({
      title: t("remove.title"),
      text: t("remove.text", { email }),
      action: t("remove.action"),
    }),
  });
  const add = mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>;
  return (
    <Page title={props.title} help={props.help} actions={<>{props.others}{add}</>}>
      <ListTable<MemberRow>
        label={props.title}
        path={path}
        pathValues={values}
        filters={[{ name: "email", label: t("email") }]}
        sorts={["email", "name"]}
        columns={[
          {
            key: "email",
            label: t("email"),
            render: (row) => <Address email={row.email} isProven={row.isProven} />,
          },
          { key: "name", label: t("personName") },
          { key: "role", label: t("field.role"), render: (row) => t(`role.${row.role}`) },
          {
            key: "isEnabled",
            label: t("field.enabled"),
            render: (row) => t(row.isEnabled ? "yes" : "no"),
          },
        ]}
        rowKey={(row) => row.userId}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add || undefined }}
        {...(mayChange && {
          actions: (row: MemberRow) => (
            <EditDelete
              name={row.email}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row)}
            />
          ),
        })}
      />
      {edited === "new" && props.adding(() => setEdited(null))}
      {edited !== null && edited !== "new" && (
        <RoleDialog member={edited} path={path} values={values} onClose={() => setEdited(null)} />
      )}
    </Page>
  );
}
