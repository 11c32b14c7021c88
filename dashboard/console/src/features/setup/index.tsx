export { SetupPage } from "./SetupPage";
export { useSetupSteps } from "./steps";
