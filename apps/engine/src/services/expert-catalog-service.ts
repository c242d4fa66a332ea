import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { ExpertCatalogService, PendingExpertSchema } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import type { Experts } from "../expert/experts.ts";
import { capabilitiesOf, type ExpertRegistry, type RegisteredExpert, registrationOf } from "../expert/registry.ts";
import { adapterErrors } from "../run/failure.ts";

/** odg.engine.v1.ExpertCatalogService. */
export function expertCatalogServiceRoutes(registry: ExpertRegistry, experts: Experts) {
  const found = (expertId: string): RegisteredExpert => {
    const expert = registry.get(expertId) ?? registry.list().find(({ description }) => description.name === expertId);
    if (!expert) throw reject(Reason.NOT_FOUND, { message: "there is no such expert", field: "expert_id" });
    return expert;
  };
  return (router: ConnectRouter): void => {
    router.service(
      ExpertCatalogService,
      {
        listExperts: async ({ capability, includePending }) => ({
          experts: registry
            .list()
            .filter((expert) => !capability || capabilitiesOf(expert).includes(capability))
            .map(registrationOf),
          pending: includePending ? await pendingOf(registry) : [],
        }),
        getExpert: ({ expertId }) => ({ expert: registrationOf(found(expertId)) }),
        registerExpert: async ({ spec }) => ({ experts: (await experts.register(spec)).map(registrationOf) }),
        approveExpert: async ({ packageName, version, digest }) => ({
          experts: (await experts.approve(packageName, version, digest)).map(registrationOf),
        }),
        restartExpert: async ({ expertId }) => {
          const expert = found(expertId);
          await experts.restart(expert);
          return { expert: registrationOf(expert) };
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}

async function pendingOf(registry: ExpertRegistry) {
  const pending = await registry.trust.pending();
  return pending.map(({ permissions, ...one }) =>
    create(PendingExpertSchema, { ...one, wider: [...one.wider], ...(permissions ? { permissions } : {}) }),
  );
}
