import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { useGet } from "@console/api/hooks";
import type { UserPlace, UserRow } from "@console/api/shapes";

interface PlacesDialogProps {
  user: UserRow;
  onClose: () => void;
}

function nameOf({ orgName, projectName }: UserPlace): string {
  return projectName ? `${orgName} / ${projectName}` : orgName;
}

/** Where a user belongs to, and as what. */
export function PlacesDialog({ user, onClose }: PlacesDialogProps): ReactElement {
  const { t } = useTranslation("users");
  const { data, error } = useGet("/users/{user}", { path: { user: user.id } });
  const rows = (data?.places ?? []).map(
    (place) => [nameOf(place), t(`role.${place.role}`)] as const,
  );
  return (
    <Dialog title={t("places.of", { email: user.email })} onClose={onClose}>
      <ErrorPanel error={error} />
      {data === undefined && error === null && <Loading />}
      {data?.isAdmin === true && <Text size="sm">{t("systemAdminHelp")}</Text>}
      {data !== undefined && rows.length === 0 && !data.isAdmin && (
        <Text size="sm">{t("places.none")}</Text>
      )}
      {rows.length > 0 && <KeyValues rows={rows} />}
    </Dialog>
  );
}
