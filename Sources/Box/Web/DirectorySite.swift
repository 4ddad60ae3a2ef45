import HTTPTypes
import Hummingbird
import Logging
import NIOPosix

/// Serves the owner's own static build from a directory, with single-page fallback.
struct DirectorySite<Context: RequestContext>: RouterMiddleware {
    private let files: FileMiddleware<Context, LocalFileSystem>
    private let fileSystem: LocalFileSystem

    /// - Parameter root: the directory; only files below it are served.
    init(root: String, threadPool: NIOThreadPool, logger: Logger) {
        fileSystem = LocalFileSystem(rootFolder: root, threadPool: threadPool, logger: logger)
        files = FileMiddleware(
            fileProvider: fileSystem, cacheControl: .init([(MediaType(type: .any), [.noCache])]),
            searchForIndexHtml: true)
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await files.handle(request, context: context, next: next)
        } catch let error as HTTPError where error.status == .notFound && isNavigation(request) {
            // A single-page application's own routes are not files: its entry page reads them from the address.
            guard let id = fileSystem.getFileIdentifier("/index.html") else { throw error }
            let body = try await fileSystem.loadFile(id: id, context: context)
            return Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-cache"],
                body: request.method == .head ? ResponseBody() : body)
        }
    }

    /// Whether a browser asks for a page and not for a file that happens to be missing.
    private func isNavigation(_ request: Request) -> Bool {
        guard request.method == .get || request.method == .head else { return false }
        let last = request.uri.path.split(separator: "/").last ?? ""
        return !last.contains(".") && (request.headers[.accept] ?? "").contains("text/html")
    }
}
