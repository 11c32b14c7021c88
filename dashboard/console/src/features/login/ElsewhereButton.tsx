import { Button, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { newBinding } from "@console/api/binding";

interface ElsewhereButtonProps {
  name: string;
  /** The provider sends browsers back there. */
  address: string;
}

export function ElsewhereButton({ name, address }: ElsewhereButtonProps): ReactElement {
  const { t } = useTranslation("login");
  const isHere = window.location.origin === address;
  const begin = useChange(async () => {
    const body = { binding: newBinding() };
    const { url } = await call<{ url: string }>("post", "/oidc/begin", { body });
    window.location.assign(url);
  }, []);
  return (
    <>
      {isHere ? (
        <Button variant="default" fullWidth loading={begin.isPending} onClick={() => begin.mutate()}>
          {t("elsewhere.with", { name })}
        </Button>
      ) : (
        <>
          <Button variant="default" fullWidth component="a" href={`${address}/`}>
            {t("elsewhere.with", { name })}
          </Button>
          <Text size="xs" c="dimmed">
            {t("elsewhere.address", { address })}
          </Text>
        </>
      )}
      <ErrorPanel error={begin.error} />
    </>
  );
}
