/** The frame of every dialog: named, closed by Escape, and afterwards the focus is where it was. */
import { Modal } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface DialogProps {
  title: ReactNode;
  onClose: () => void;
  size?: string;
  children: ReactNode;
}

export function Dialog({ title, onClose, size = "md", children }: DialogProps): ReactElement {
  const { t } = useTranslation();
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement) before.focus();
    },
    [before],
  );
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size={size}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      {children}
    </Modal>
  );
}
