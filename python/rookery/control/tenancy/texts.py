"""What the tenancy tells people."""

from __future__ import annotations

from rookery.control.errors import Text

ORG_TAKEN = Text("there is an organization {name} already", "组织 {name} 已存在")
PROJECT_TAKEN = Text("there is a project {name} already", "项目 {name} 已存在")
ORGS_MAX = Text("there are {most} organizations already", "组织数已达上限 {most}")
PROJECTS_MAX = Text("the organization has {most} projects already", "该组织的项目数已达上限 {most}")
PROJECTS_ALL_MAX = Text("there are {most} projects already", "项目总数已达上限 {most}")
ORG_IN_USE = Text(
    "the organization has projects, delete those first", "该组织下仍有项目，请先删除项目"
)
PROJECT_IN_USE = Text(
    "the project has clusters, delete or transfer those first",
    "该项目下仍有集群，请先删除或转移集群",
)
NO_MEMBER = Text("that user does not belong here", "该用户不是成员")
NOT_IN_ORG = Text("add the user to the organization first", "请先将该用户加入组织")
MEMBER_ALREADY = Text("{email} belongs here already", "{email} 已是成员")
