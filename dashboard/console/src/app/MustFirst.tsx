/** Lets nobody on who has to change the password or set up a second factor first. */
import { Button } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Loading } from "@/components/Loading";
import { LoginFrame } from "@/components/LoginFrame";
import { queryClient } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { setSession } from "@console/api/session";
import { PasswordCard } from "@console/features/profile/PasswordCard";
import { SecondFactorCard } from "@console/features/profile/SecondFactorCard";

export function MustFirst({ children }: { children: ReactNode }): ReactElement {
  const { t } = useTranslation("profile");
  const { data, isPending } = useGet("/profile");
  if (isPending) return <Loading />;
  const must = data?.mustDo ?? "";
  if (must === "") return <>{children}</>;
  const leave = async () => {
    await call("post", "/logout").catch(() => undefined);
    setSession(null);
    queryClient.clear();
  };
  return (
    <LoginFrame title={t(`must.${must}`)} isWide>
      {must === "changePassword" ? <PasswordCard /> : <SecondFactorCard />}
      <Button variant="subtle" onClick={() => void leave()}>
        {t("must.leave")}
      </Button>
    </LoginFrame>
  );
}
