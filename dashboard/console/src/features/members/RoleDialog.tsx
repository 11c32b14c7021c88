import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { MemberRow } from "@console/api/shapes";
import { MEMBER_ROLES } from "@console/components/memberRoles";

import { REFRESH } from "./refresh";

interface RoleDialogProps {
  member: MemberRow;
  path: string;
  values: Record<string, string>;
  onClose: () => void;
}

export function RoleDialog({ member, path, values, onClose }: RoleDialogProps): ReactElement {
  const { t } = useTranslation("members");
  const [role, setRole] = useState<string>(member.role);
  const where = { ...values, user: member.userId };
  return (
    <FormDialog
      title={t("editOne", { name: member.email })}
      submit={t("save")}
      done={t("saved")}
      refresh={REFRESH}
      onSubmit={() => call("put", `${path}/{user}`, { path: where, body: { role } })}
      onClose={onClose}
    >
      <RoleSelect roles={MEMBER_ROLES} value={role} onChange={setRole} />
    </FormDialog>
  );
}
