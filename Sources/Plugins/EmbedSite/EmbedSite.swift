import Foundation
import PackagePlugin

/// Turns every file of the target's `Site` folder into Swift source, so that the executable carries the room page.
@main
struct EmbedSite: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let site = target.directory.appending("Site")
        let files = try listFiles(under: site)
        let output = context.pluginWorkDirectory.appending("EmbeddedSite.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(files.count) files of the room page",
                executable: try context.tool(named: "embed-site").path,
                arguments: [site.string, output.string] + files.map(\.string),
                inputFiles: files,
                outputFiles: [output])
        ]
    }

    private func listFiles(under directory: Path) throws -> [Path] {
        guard let walker = FileManager.default.enumerator(atPath: directory.string) else { return [] }
        return walker.compactMap { $0 as? String }
            .filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
            .map { directory.appending(subpath: $0) }
            .filter {
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(atPath: $0.string, isDirectory: &isDirectory)
                    && !isDirectory.boolValue
            }
            .sorted { $0.string < $1.string }
    }
}
