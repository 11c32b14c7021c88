import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { MEMBER_ROLES } from "@console/components/memberRoles";
import type { Place } from "@console/components/place";

import { REFRESH } from "./refresh";

const TYPING_MS = 300;
const OFFERED_MAX = 20;

interface AddToProjectProps {
  place: Place;
  onClose: () => void;
}

/** Somebody of the organization who is not in the project yet. */
export function AddToProject({ place, onClose }: AddToProjectProps): ReactElement {
  const { t } = useTranslation("members");
  const [userId, setUser] = useState("");
  const [role, setRole] = useState("viewer");
  const [typed, setTyped] = useState("");
  const [email] = useDebouncedValue(typed, TYPING_MS);
  const found = useGet("/orgs/{org}/projects/{project}/candidates", {
    path: { ...place },
    query: { email, size: OFFERED_MAX },
  });
  const offered = (found.data?.items ?? []).map((each) => ({
    value: each.userId,
    label: each.name === "" ? each.email : `${each.name} (${each.email})`,
  }));
  return (
    <FormDialog
      title={t("add")}
      submit={t("add")}
      done={t("saved")}
      refresh={REFRESH}
      onSubmit={() =>
        call("post", "/orgs/{org}/projects/{project}/members", {
          path: { ...place },
          body: { userId, role },
        })
      }
      onClose={onClose}
    >
      <Select
        label={t("user")}
        description={t("userHelp")}
        required
        searchable
        data={offered}
        // What was found is what may be chosen: the labels are not filtered again.
        filter={({ options }) => options}
        onSearchChange={setTyped}
        value={userId || null}
        onChange={(id) => setUser(id ?? "")}
        nothingFoundMessage={t("noMatch.title")}
      />
      <RoleSelect roles={MEMBER_ROLES} value={role} onChange={setRole} />
    </FormDialog>
  );
}
