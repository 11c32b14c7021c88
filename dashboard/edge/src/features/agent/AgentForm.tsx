/** Whether and how this edge service connects to a control plane; the same fields as `/api/tunnel`. */
import { Button, Card, Group, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useConfirm } from "@/components/confirm";
import { ErrorPanel } from "@/components/ErrorPanel";
import { PasswordField } from "@/components/fields";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@edge/api/client";
import { useMe } from "@edge/api/me";
import type { Tunnel } from "@edge/api/shapes";

import { shownAddress, wholeAddress, withUsualPort } from "./address";
import { CertificateField, type Chosen } from "./CertificateField";
import { TUNNEL, TUNNEL_STATUS } from "./paths";

const DESCRIPTION_MAX = 200;
const USUAL = "admin";

export function AgentForm({ held }: { held: Tunnel }): ReactElement {
  const { t } = useTranslation("agent");
  const { isAdmin } = useMe();
  const confirm = useConfirm();
  const toasts = useToasts();
  const [isOn, setOn] = useState(held.enable);
  const [isTls, setTls] = useState(held.enableSSL);
  const [address, setAddress] = useState(shownAddress(held.address));
  const [username, setUsername] = useState(held.username || USUAL);
  const [password, setPassword] = useState("");
  const [description, setDescription] = useState(held.description);
  const [ca, setCa] = useState<Chosen>(null);
  const [certificate, setCertificate] = useState<Chosen>(null);
  const [key, setKey] = useState<Chosen>(null);
  const whole = wholeAddress(address, isTls);
  const save = useChange(
    () =>
      call("post", TUNNEL, {
        body: {
          enable: isOn,
          enableSSL: isTls,
          address: whole === null ? held.address : `${isTls ? "ssl" : "tcp"}://${whole}`,
          username,
          description,
          ...(password !== "" && { password }),
          ...(ca !== null && { rootCARaw: ca.content }),
          ...(certificate !== null && { certificationRaw: certificate.content }),
          ...(key !== null && { privateKeyRaw: key.content }),
        },
      }),
    [TUNNEL, TUNNEL_STATUS],
  );
  const isFaulty = isOn && whole === null;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (isFaulty) return;
    const question = { title: t("leave.title"), text: t("leave.text"), action: t("leave.action") };
    if (held.enable && !isOn && !(await confirm(question))) return;
    save.mutate(undefined, {
      onSuccess: () => {
        toasts.done(t("saved"));
        if (whole !== null) setAddress(whole);
        setPassword("");
        for (const clear of [setCa, setCertificate, setKey]) clear(null);
      },
    });
  };
  const switchTls = (next: boolean) => {
    setTls(next);
    setAddress(withUsualPort(address, next));
  };
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h4" mb="sm">
        {t("settings")}
      </Title>
      {!isAdmin && (
        <Text size="sm" c="dimmed" mb="sm">
          {t("onlyAdmins")}
        </Text>
      )}
      <form onSubmit={(event) => void send(event)}>
        <fieldset className="plain-fieldset" disabled={!isAdmin}>
          <Stack gap="sm" maw={560}>
            <Switch
              label={t("enable")}
              description={t("enableHelp")}
              checked={isOn}
              onChange={(event) => setOn(event.currentTarget.checked)}
            />
            <TextInput
              label={t("address")}
              description={t("addressHelp")}
              placeholder={isTls ? "192.0.2.10:38883" : "192.0.2.10:31883"}
              required={isOn}
              value={address}
              error={isFaulty && address !== "" ? t("addressFaulty") : undefined}
              onChange={(event) => setAddress(event.currentTarget.value)}
            />
            <TextInput
              label={t("username")}
              autoComplete="off"
              value={username}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordField
              label={t("password")}
              description={t(held.hasPassword ? "passwordKept" : "passwordHelp")}
              isNew
              isRequired={false}
              value={password}
              onChange={setPassword}
            />
            <TextInput
              label={t("field.description")}
              description={t("descriptionHelp")}
              maxLength={DESCRIPTION_MAX}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
            <Switch
              label="SSL/TLS"
              description={t("tlsHelp")}
              checked={isTls}
              onChange={(event) => switchTls(event.currentTarget.checked)}
            />
            {isTls && (
              <>
                <CertificateField
                  name="rootCA"
                  isKept={held.hasRootCA}
                  chosen={ca}
                  onChoose={setCa}
                />
                <CertificateField
                  name="certificate"
                  isKept={held.hasCertificate}
                  chosen={certificate}
                  onChoose={setCertificate}
                />
                <CertificateField
                  name="privateKey"
                  isKept={held.hasPrivateKey}
                  chosen={key}
                  onChoose={setKey}
                />
              </>
            )}
            <ErrorPanel error={save.error} />
            <Group>
              <Button type="submit" loading={save.isPending} disabled={!isAdmin}>
                {t("save")}
              </Button>
            </Group>
          </Stack>
        </fieldset>
      </form>
    </Card>
  );
}
