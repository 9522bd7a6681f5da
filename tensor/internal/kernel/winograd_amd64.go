package kernel

// winogradConstants are what the generated code reads by number (gen/winograd.go).
var winogradConstants = [...]float32{
	winogradPP * winogradQQ, winogradPP + winogradQQ, winogradPP, winogradQQ, winogradP, winogradQ,
	winogradPP * winogradP, winogradQQ * winogradQ,
}
