import { gathered } from "./gathered";

export default gathered(
  import.meta.glob<object>(["./zh-CN.json", "../../features/*/zh-CN.json"], { eager: true, import: "default" }),
);
