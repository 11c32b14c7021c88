/** A PEM file that is chosen: kept, replaced or taken away. */
import { Button, FileButton, Group, Input, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useToasts } from "@/components/toasts";
import { ApiError } from "@/lib/apiError";

/** Null keeps what is there; empty content takes it away. */
export type Chosen = { fileName: string; content: string } | null;

const BYTES_MAX = 64 * 1024;

interface CertificateFieldProps {
  /** Of its texts. */
  name: "rootCA" | "certificate" | "privateKey";
  isKept: boolean;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

export function CertificateField(props: CertificateFieldProps): ReactElement {
  const { t } = useTranslation("agent");
  const toasts = useToasts();
  const { name, isKept, chosen, onChoose } = props;
  const label = t(`file.${name}`);
  const take = async (file: File | null) => {
    if (file === null) return;
    try {
      onChoose({ fileName: file.name, content: await encoded(file) });
    } catch (error) {
      toasts.failed(error);
    }
  };
  const isRemoved = chosen !== null && chosen.content === "";
  const state = isRemoved
    ? t("fileRemoved")
    : chosen !== null
      ? t("fileChosen", { name: chosen.fileName })
      : t(isKept ? "fileKept" : "fileNone");
  const isThere = !isRemoved && (isKept || chosen !== null);
  return (
    <Input.Wrapper label={label} description={t(`fileHelp.${name}`)} labelElement="div">
      <Group gap="sm" mt={4}>
        <FileButton accept=".pem,.crt,.cer,.key" onChange={(file) => void take(file)}>
          {(button) => (
            <Button {...button} variant="default" aria-label={t("chooseOf", { label })}>
              {t("choose")}
            </Button>
          )}
        </FileButton>
        <Text size="sm" role="status">
          {state}
        </Text>
        {isThere && (
          <Button
            variant="subtle"
            color="red"
            aria-label={t("removeOf", { label })}
            onClick={() => onChoose(isKept ? { fileName: "", content: "" } : null)}
          >
            {t("remove")}
          </Button>
        )}
      </Group>
    </Input.Wrapper>
  );
}

async function encoded(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.slice(0, BYTES_MAX + 1).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  if (bytes.length > BYTES_MAX || !text.includes("-----BEGIN ")) {
    throw new ApiError(-1, "NOT_PEM", file.name);
  }
  return btoa(text);
}
