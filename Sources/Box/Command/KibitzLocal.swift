import ArgumentParser

@main
struct KibitzLocal: AsyncParsableCommand {
    func run() async throws {}
}
