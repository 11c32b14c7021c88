import { createTheme, Drawer, Loader, Modal, NumberInput, Table, Tabs } from "@mantine/core";

/** Colours are in `app.css`: a theme's own would need style sheets made while the page runs. */
export const theme = createTheme({
  primaryColor: "cyan",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Locking the page's scroll would insert a style sheet, which the policy forbids.
    Modal: Modal.extend({ defaultProps: { lockScroll: false } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    // A name is only allowed on something that has a role.
    Loader: Loader.extend({ defaultProps: { role: "status" } }),
    NumberInput: NumberInput.extend({ defaultProps: { hideControls: true } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: "xs" } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
  },
});
