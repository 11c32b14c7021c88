import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { MemberRow } from "@console/api/shapes";

const ROLES = ["viewer", "admin"] as const;
const TYPING_MS = 300;
const OFFERED_MAX = 20;

interface MemberDialogProps {
  /** Null adds one. */
  member: MemberRow | null;
  path: string;
  values: Record<string, string>;
  onClose: () => void;
}

export function MemberDialog({ member, path, values, onClose }: MemberDialogProps): ReactElement {
  const { t } = useTranslation("members");
  const [user, setUser] = useState(member?.userId ?? "");
  const [role, setRole] = useState(member?.role ?? "viewer");
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed, TYPING_MS);
  const found = useGet("/users", { query: { search, size: OFFERED_MAX }, enabled: member === null });
  const offered = (found.data?.items ?? []).map(({ id, email, name }) => ({
    value: id,
    label: name ? `${email} · ${name}` : email,
  }));
  return (
    <FormDialog
      title={member === null ? t("add") : t("editOne", { name: member.email })}
      submit={member === null ? t("add") : t("save")}
      done={t("saved")}
      refresh={["/orgs", "/projects", "/users", "/roles"]}
      onSubmit={() => call("put", `${path}/{user}`, { path: { ...values, user }, body: { role } })}
      onClose={onClose}
    >
      {member === null && (
        <Select
          label={t("user")}
          description={t("userHelp")}
          required
          searchable
          data={offered}
          // What it finds is what may be chosen: the labels are not filtered again.
          filter={({ options }) => options}
          searchValue={typed}
          onSearchChange={setTyped}
          value={user || null}
          onChange={(id) => setUser(id ?? "")}
          nothingFoundMessage={t("noMatch.title")}
        />
      )}
      <RoleSelect roles={ROLES} value={role} onChange={setRole} />
    </FormDialog>
  );
}
