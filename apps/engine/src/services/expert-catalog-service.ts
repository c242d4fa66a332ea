import type { ConnectRouter } from "@connectrpc/connect";
import { ExpertCatalogService } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { capabilitiesOf, type ExpertRegistry, registrationOf } from "../expert/registry.ts";
import { adapterErrors } from "../run/failure.ts";

/** odg.engine.v1.ExpertCatalogService. */
export function expertCatalogServiceRoutes(registry: ExpertRegistry) {
  return (router: ConnectRouter): void => {
    router.service(
      ExpertCatalogService,
      {
        listExperts: ({ capability }) => ({
          experts: registry
            .list()
            .filter((expert) => !capability || capabilitiesOf(expert).includes(capability))
            .map(registrationOf),
        }),
        getExpert: ({ expertId }) => {
          const found =
            registry.get(expertId) ?? registry.list().find(({ description }) => description.name === expertId);
          if (!found) throw reject(Reason.NOT_FOUND, { message: "there is no such expert", field: "expert_id" });
          return { expert: registrationOf(found) };
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}
