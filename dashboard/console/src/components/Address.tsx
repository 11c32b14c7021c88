import { Badge, Group, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface AddressProps {
  email: string;
  isProven: boolean;
}

/** An e-mail address, and that nobody has shown whose it is where that is so. */
export function Address({ email, isProven }: AddressProps): ReactElement {
  const { t } = useTranslation("members");
  if (isProven) return <>{email}</>;
  return (
    <Group gap="xs" wrap="nowrap">
      {email}
      <Tooltip label={t("unprovenHelp")} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
        <Badge color="orange" variant="light" tt="none" miw="max-content" tabIndex={0}>
          {t("unproven")}
        </Badge>
      </Tooltip>
    </Group>
  );
}
