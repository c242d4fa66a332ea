// How `nx release` versions a package of this workspace: in its package.json, and where its code repeats that version.
const { VersionActions } = require("nx/release");

module.exports = class PackageVersionActions extends VersionActions {
  validManifestFilenames = ["package.json"];
  // Biome formats these files.
  excludeManifestsFromFormatting = true;

  async readCurrentVersionFromSourceManifest(tree) {
    const manifestPath = this.#path("package.json");
    return { currentVersion: JSON.parse(tree.read(manifestPath, "utf8")).version, manifestPath };
  }

  async readCurrentVersionFromRegistry() {
    throw new Error("versions are read from package.json; no registry is asked");
  }

  async readCurrentVersionOfDependency(tree, projectGraph, dependencyProjectName) {
    const { name } = JSON.parse(
      tree.read(`${projectGraph.nodes[dependencyProjectName].data.root}/package.json`, "utf8"),
    );
    const manifest = JSON.parse(tree.read(this.#path("package.json"), "utf8"));
    for (const dependencyCollection of ["dependencies", "peerDependencies", "devDependencies"]) {
      const currentVersion = manifest[dependencyCollection]?.[name];
      if (currentVersion !== undefined) return { currentVersion, dependencyCollection };
    }
    return { currentVersion: null, dependencyCollection: null };
  }

  async updateProjectVersion(tree, newVersion) {
    const { currentVersion, manifestPath } = await this.readCurrentVersionFromSourceManifest(tree);
    const replaced = (path, from, to) => {
      const text = tree.exists(path) ? tree.read(path, "utf8") : "";
      if (!text.includes(from)) return false;
      tree.write(path, text.replace(from, to));
      return true;
    };
    replaced(manifestPath, `"version": "${currentVersion}"`, `"version": "${newVersion}"`);
    // An engine refuses an expert whose Describe says another version than its package.
    const code = replaced(this.#path("src/index.ts"), `version: "${currentVersion}"`, `version: "${newVersion}"`);
    return [`${manifestPath}: ${currentVersion} → ${newVersion}`, ...(code ? [`src/index.ts follows`] : [])];
  }

  async updateProjectDependencies() {
    // Plugins name a range of the plugin API, which a new version of it need not leave.
    return [];
  }

  #path(file) {
    return `${this.projectGraphNode.data.root}/${file}`;
  }
};
